import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.ParsedSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.avro.AvroSchema;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.RestService;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Config;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.Metadata;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.RuleSet;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.requests.ConfigUpdateRequest;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.entities.requests.RegisterSchemaRequest;
import org.apache.flink.avro.registry.confluent.shaded.io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.avro.shaded.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.avro.shaded.org.apache.avro.Schema;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericData;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumReader;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericDatumWriter;
import org.apache.flink.avro.shaded.org.apache.avro.generic.GenericRecord;
import org.apache.flink.avro.shaded.org.apache.avro.io.BinaryEncoder;
import org.apache.flink.avro.shaded.org.apache.avro.io.DecoderFactory;
import org.apache.flink.avro.shaded.org.apache.avro.io.EncoderFactory;
import org.apache.flink.formats.avro.registry.confluent.ConfluentSchemaRegistryCoder;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Confluent's Java registry client, unmodified, as Flink's Avro format carries it.
 *
 * Reads a journey from standard input and prints what the client saw; the test that started it judges the report. Avro
 * goes through the caching client and Flink's coder, the formats whose parsers Flink leaves out through the client's
 * RestService.
 */
public class Confluent {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> NO_HEADERS = Map.of();

    public static void main(String[] arguments) throws Exception {
        JsonNode journey = JSON.readTree(System.in);
        Map<String, Object> formats = new TreeMap<>();
        for (var entry : (Iterable<Map.Entry<String, JsonNode>>) () -> journey.get("formats").fields()) {
            String type = entry.getKey();
            String subject = journey.get("prefix").asText() + "-" + type + "-value";
            Map<String, Object> saw = new LinkedHashMap<>();
            if (type.equals("AVRO")) {
                caching(journey.get("registry").asText(), subject, entry.getValue(), saw);
            }
            rest(new RestService(journey.get("registry").asText()), type, subject, entry.getValue(), saw);
            formats.put(type, saw);
        }
        JSON.writeValue(System.out, Map.of("formats", formats));
    }

    /** The caching client and Flink's coder, on a subject of their own that they leave behind empty. */
    private static void caching(String registry, String subject, JsonNode format, Map<String, Object> saw) throws Exception {
        String own = "flink-" + subject;
        ParsedSchema first = new AvroSchema(format.get("first").asText());
        ParsedSchema second = new AvroSchema(format.get("second").asText());
        ParsedSchema breaking = new AvroSchema(format.get("breaking").asText());
        Map<String, Object> cached = new LinkedHashMap<>();
        try (var client = new CachedSchemaRegistryClient(registry, 100)) {
            cached.put("first", client.register(own, first));
            cached.put("second", client.register(own, second));
            cached.put("refused", refusal(() -> client.register(own, breaking)));
        }
        try (var client = new CachedSchemaRegistryClient(registry, 100)) { // another process: with caches of its own
            cached.put("compatible", List.of(client.testCompatibility(own, second), client.testCompatibility(own, breaking)));
            cached.put("why_not", client.testCompatibilityVerbose(own, breaking));
            var latest = client.getLatestSchemaMetadata(own);
            cached.put("latest", Map.of("id", latest.getId(), "version", latest.getVersion(), "schema", latest.getSchema()));
            cached.put("by_id", client.getSchemaById((Integer) cached.get("first")).canonicalString());
            cached.put("looked_up", client.getVersion(own, first));
            cached.put("missing", refusal(() -> client.getLatestSchemaMetadata(own + "-missing")));
            cached.put("unknown_id", refusal(() -> client.getSchemaById(999_999)));
        }
        try (var client = new CachedSchemaRegistryClient(registry, 100)) {
            var coder = new ConfluentSchemaRegistryCoder(own, client);
            Schema schema = new Schema.Parser().parse(format.get("second").asText());
            GenericRecord record = new GenericData.Record(schema);
            format.get("record").fields().forEachRemaining(field ->
                record.put(field.getKey(), field.getValue().isInt() ? (Object) field.getValue().asInt() : field.getValue().asText()));
            var out = new ByteArrayOutputStream();
            coder.writeSchema(schema, out);
            BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
            new GenericDatumWriter<GenericRecord>(schema).write(record, encoder);
            saw.put("written", HexFormat.of().formatHex(out.toByteArray()));

            var in = new ByteArrayInputStream(HexFormat.of().parseHex(format.get("payload").asText()));
            Schema writers = coder.readSchema(in);
            var reader = new GenericDatumReader<GenericRecord>(writers, schema);
            GenericRecord read = reader.read(null, DecoderFactory.get().binaryDecoder(in, null));
            saw.put("read", JSON.readTree(read.toString()));
            client.deleteSubject(own, false);
            cached.put("purged", client.deleteSubject(own, true));
        }
        saw.put("caching", cached);
    }

    /** The same journey through RestService, which every Java tool shares. */
    private static void rest(RestService client, String type, String subject, JsonNode format, Map<String, Object> saw)
            throws Exception {
        String first = format.get("first").asText(), second = format.get("second").asText(), breaking = format.get("breaking").asText();
        saw.put("first", client.registerSchema(first, type, List.of(), subject).getId());
        saw.put("again", client.registerSchema(first, type, List.of(), subject).getId());
        saw.put("second", client.registerSchema(second, type, List.of(), subject).getId());
        saw.put("refused", refusal(() -> client.registerSchema(breaking, type, List.of(), subject)));
        saw.put("compatible", List.of(
            client.testCompatibility(second, type, List.of(), subject, "1", false).isEmpty(),
            client.testCompatibility(breaking, type, List.of(), subject, "latest", true).isEmpty()));
        saw.put("why_not", client.testCompatibility(breaking, type, List.of(), subject, "latest", true));
        saw.put("versions", client.getAllVersions(subject));
        var latest = client.getLatestVersion(subject);
        saw.put("latest", Map.of("id", latest.getId(), "version", latest.getVersion(), "schema", latest.getSchema()));
        saw.put("by_id", client.getId((Integer) saw.get("first"), subject).getSchemaString());
        saw.put("looked_up", client.lookUpSubjectVersion(first, type, List.of(), subject, false).getVersion());
        saw.put("uses", client.getAllVersionsById((Integer) saw.get("second")).stream()
            .map(use -> Map.of("subject", use.getSubject(), "version", use.getVersion())).toList());
        saw.put("missing", refusal(() -> client.getLatestVersion(subject + "-missing")));
        saw.put("no_level", refusal(() -> client.getConfig(NO_HEADERS, subject, false)));
        client.updateConfig(new ConfigUpdateRequest(new Config("FULL")), subject);
        saw.put("level", client.getConfig(subject).getCompatibilityLevel());
        contract(client, type, format, saw);
        saw.put("mode", client.getMode(subject, true).getMode());
        saw.put("deleted_version", client.deleteSchemaVersion(NO_HEADERS, subject, "1"));
        saw.put("deleted", client.deleteSubject(NO_HEADERS, subject));
        saw.put("purged", client.deleteSubject(NO_HEADERS, subject, true));
    }

    /** Metadata and rules that are registered, as they come back. */
    private static void contract(RestService client, String type, JsonNode format, Map<String, Object> saw) throws Exception {
        JsonNode contract = format.get("contract");
        String subject = contract.get("subject").asText();
        var request = new RegisterSchemaRequest();
        request.setSchema(format.get("first").asText());
        request.setSchemaType(type);
        request.setMetadata(JSON.treeToValue(contract.get("metadata"), Metadata.class));
        request.setRuleSet(JSON.treeToValue(contract.get("ruleSet"), RuleSet.class));
        client.registerSchema(request, subject, false);
        var found = client.getLatestWithMetadata(subject, request.getMetadata().getProperties(), false);
        saw.put("contract", Map.of("metadata", found.getMetadata(), "ruleSet", found.getRuleSet()));
    }

    private interface Call {
        Object run() throws Exception;
    }

    private static Map<String, Object> refusal(Call call) throws Exception {
        try {
            throw new IllegalStateException("was not refused, but answered " + call.run());
        } catch (RestClientException error) {
            return Map.of("status", error.getStatus(), "code", error.getErrorCode(), "message", error.getMessage());
        }
    }
}
