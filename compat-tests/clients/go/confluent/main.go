// confluent-kafka-go's registry client and its Avro, JSON Schema and protobuf serializers, unmodified.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/jsonschema"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/protobuf"

	"sluice.test/clients/journey"
)

func main() { journey.Run("github.com/confluentinc/confluent-kafka-go/v2", walk) }

func walk(j journey.Journey, name string, f journey.Format, saw map[string]any) error {
	topic := j.Prefix + "-" + name
	subject := topic + "-value"
	info := func(text string) schemaregistry.SchemaInfo {
		return schemaregistry.SchemaInfo{Schema: text, SchemaType: name}
	}
	client, err := newClient(j)
	if err != nil {
		return err
	}
	if saw["first"], err = client.Register(subject, info(f.First), false); err != nil {
		return err
	}
	if saw["second"], err = client.Register(subject, info(f.Second), false); err != nil {
		return err
	}
	if _, err = client.Register(subject, info(f.Breaking), false); err == nil {
		return errors.New("the breaking schema was registered")
	}
	saw["refused"] = failure(err)

	// Another process: nothing of the above is in its caches.
	if client, err = newClient(j); err != nil {
		return err
	}
	if saw["again"], err = client.Register(subject, info(f.First), false); err != nil {
		return err
	}
	fits, err := client.TestCompatibility(subject, 1, info(f.Second))
	if err != nil {
		return err
	}
	breaks, err := client.TestSubjectCompatibility(subject, info(f.Breaking))
	if err != nil {
		return err
	}
	saw["compatible"] = []bool{fits, breaks}
	if saw["versions"], err = client.GetAllVersions(subject); err != nil {
		return err
	}
	latest, err := client.GetLatestSchemaMetadata(subject)
	if err != nil {
		return err
	}
	saw["latest"] = map[string]any{"id": latest.ID, "version": latest.Version, "schema": latest.Schema}
	byID, err := client.GetBySubjectAndID(subject, saw["first"].(int))
	if err != nil {
		return err
	}
	saw["by_id"] = byID.Schema
	byGUID, err := client.GetByGUID(latest.GUID)
	if err != nil {
		return err
	}
	saw["by_guid"] = byGUID.Schema
	if saw["looked_up"], err = client.GetVersion(subject, info(f.First), false); err != nil {
		return err
	}
	if saw["uses"], err = client.GetSubjectsAndVersionsByID(latest.ID); err != nil {
		return err
	}
	if _, err = client.GetLatestSchemaMetadata(subject + "-missing"); err == nil {
		return errors.New("a missing subject was found")
	}
	saw["missing"] = failure(err)
	if _, err = client.GetCompatibility(subject); err == nil {
		return errors.New("a level nobody set was found")
	}
	saw["no_level"] = failure(err)
	if _, err = client.UpdateCompatibility(subject, schemaregistry.Full); err != nil {
		return err
	}
	level, err := client.GetCompatibility(subject)
	if err != nil {
		return err
	}
	saw["level"] = level.String()
	if err := contract(j, info(f.First), f.Contract, saw); err != nil {
		return err
	}
	if err := writeAndRead(j, name, topic, f, saw); err != nil {
		return err
	}
	if saw["deleted_version"], err = client.DeleteSubjectVersion(subject, 1, false); err != nil {
		return err
	}
	if saw["deleted"], err = client.DeleteSubject(subject, false); err != nil {
		return err
	}
	saw["purged"], err = client.DeleteSubject(subject, true)
	return err
}

// contract registers metadata and rules, and reports them as another process gets them back.
func contract(j journey.Journey, info schemaregistry.SchemaInfo, c journey.Contract, saw map[string]any) error {
	info.Metadata, info.RuleSet = &schemaregistry.Metadata{}, &schemaregistry.RuleSet{}
	if err := c.Into(info.Metadata, info.RuleSet); err != nil {
		return err
	}
	client, err := newClient(j)
	if err != nil {
		return err
	}
	if _, err := client.Register(c.Subject, info, false); err != nil {
		return err
	}
	if client, err = newClient(j); err != nil {
		return err
	}
	found, err := client.GetLatestWithMetadata(c.Subject, info.Metadata.Properties, false)
	if err != nil {
		return err
	}
	saw["contract"] = map[string]any{"metadata": found.Metadata, "ruleSet": found.RuleSet}
	return nil
}

func newClient(j journey.Journey) (schemaregistry.Client, error) {
	return schemaregistry.NewClient(schemaregistry.NewConfig(j.Registry))
}

func failure(err error) any {
	var refused *rest.Error
	if !errors.As(err, &refused) {
		return fmt.Sprintf("%T: %v", err, err)
	}
	return journey.Failure{Code: refused.Code, Message: refused.Message}
}

type serializer interface {
	Serialize(topic string, msg interface{}) ([]byte, error)
}

func writeAndRead(j journey.Journey, name, topic string, f journey.Format, saw map[string]any) error {
	client, err := newClient(j)
	if err != nil {
		return err
	}
	payload, err := f.Bytes()
	if err != nil {
		return err
	}
	settings := *serde.NewSerializerConfig()
	settings.AutoRegisterSchemas, settings.UseLatestVersion = false, true
	var writes serializer
	var record any = &f.Record
	switch name {
	case "AVRO":
		conf := &avrov2.SerializerConfig{SerializerConfig: settings}
		if writes, err = avrov2.NewSerializer(client, serde.ValueSerde, conf); err != nil {
			return err
		}
		reads, err := avrov2.NewDeserializer(client, serde.ValueSerde, avrov2.NewDeserializerConfig())
		if err != nil {
			return err
		}
		var read journey.Payment
		if err := reads.DeserializeInto(topic, payload, &read); err != nil {
			return err
		}
		saw["read"] = read
	case "JSON":
		conf := &jsonschema.SerializerConfig{SerializerConfig: settings, EnableValidation: true}
		if writes, err = jsonschema.NewSerializer(client, serde.ValueSerde, conf); err != nil {
			return err
		}
		reads, err := jsonschema.NewDeserializer(client, serde.ValueSerde, jsonschema.NewDeserializerConfig())
		if err != nil {
			return err
		}
		var read journey.Payment
		if err := reads.DeserializeInto(topic, payload, &read); err != nil {
			return err
		}
		saw["read"] = read
	case "PROTOBUF":
		conf := &protobuf.SerializerConfig{SerializerConfig: settings}
		if writes, err = protobuf.NewSerializer(client, serde.ValueSerde, conf); err != nil {
			return err
		}
		if record, err = f.Message(); err != nil {
			return err
		}
		reads, err := protobuf.NewDeserializer(client, serde.ValueSerde, protobuf.NewDeserializerConfig())
		if err != nil {
			return err
		}
		descriptor, err := f.Descriptor()
		if err != nil {
			return err
		}
		reads.ProtoRegistry = new(protoregistry.Types)
		if err := reads.ProtoRegistry.RegisterMessage(dynamicpb.NewMessageType(descriptor)); err != nil {
			return err
		}
		read, err := reads.Deserialize(topic, payload)
		if err != nil {
			return err
		}
		saw["read"] = journey.FromMessage(read.(proto.Message))
	default:
		return fmt.Errorf("no serializer for %s", name)
	}
	written, err := writes.Serialize(topic, record)
	saw["written"] = hex.EncodeToString(written)
	return err
}
