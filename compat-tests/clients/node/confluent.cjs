// @confluentinc/schemaregistry: its client and its Avro, JSON Schema and protobuf serializers, unmodified.
const { create, createMutableRegistry, createFileRegistry, fromBinary } = require('@bufbuild/protobuf')
const { FileDescriptorSetSchema } = require('@bufbuild/protobuf/wkt')
const sr = require('@confluentinc/schemaregistry')
const { run, refusal } = require('./journey.cjs')

const SERDES = {
  AVRO: [sr.AvroSerializer, sr.AvroDeserializer],
  JSON: [sr.JsonSerializer, sr.JsonDeserializer],
  PROTOBUF: [sr.ProtobufSerializer, sr.ProtobufDeserializer],
}

const failure = ({ status, errorCode, message }) => ({ status, code: errorCode, message })

async function walk(journey, schemaType, format, saw) {
  const topic = `${journey.prefix}-${schemaType}`
  const subject = `${topic}-value`
  const open = () => new sr.SchemaRegistryClient({ baseURLs: [journey.registry], maxRetries: 0 })
  const info = schema => ({ schema, schemaType })

  let client = open()
  saw.first = await client.register(subject, info(format.first))
  saw.second = await client.register(subject, info(format.second))
  saw.refused = failure(await refusal(() => client.register(subject, info(format.breaking))))

  client = open() // another process: nothing of the above is in its caches
  saw.again = await client.register(subject, info(format.first))
  saw.compatible = [
    await client.testCompatibility(subject, 1, info(format.second)),
    await client.testSubjectCompatibility(subject, info(format.breaking)),
  ]
  saw.versions = await client.getAllVersions(subject)
  const latest = await client.getLatestSchemaMetadata(subject)
  saw.latest = { id: latest.id, version: latest.version, schema: latest.schema }
  saw.by_id = (await client.getBySubjectAndId(subject, saw.first)).schema
  saw.by_guid = (await client.getByGuid(latest.guid)).schema
  saw.looked_up = await client.getVersion(subject, info(format.first))
  saw.missing = failure(await refusal(() => client.getLatestSchemaMetadata(`${subject}-missing`)))
  saw.no_level = failure(await refusal(() => client.getCompatibility(subject)))
  await client.updateCompatibility(subject, sr.Compatibility.Full ?? 'FULL')
  saw.level = await client.getCompatibility(subject)
  await contract(open, schemaType, format, saw)
  await writeAndRead(open(), schemaType, topic, format, saw)
  saw.deleted_version = await client.deleteSubjectVersion(subject, 1)
  saw.deleted = await client.deleteSubject(subject)
  saw.purged = await client.deleteSubject(subject, true)
}

/** Metadata and rules that are registered, as another process gets them back. */
async function contract(open, schemaType, format, saw) {
  const { metadata, ruleSet } = format.contract
  await open().register(format.contract.subject, { schema: format.first, schemaType, metadata, ruleSet })
  const found = await open().getLatestWithMetadata(format.contract.subject, metadata.properties)
  saw.contract = { metadata: found.metadata, ruleSet: found.ruleSet }
}

async function writeAndRead(client, schemaType, topic, format, saw) {
  const [Serializer, Deserializer] = SERDES[schemaType]
  const settings = { autoRegisterSchemas: false, useLatestVersion: true }
  let record = format.record
  if (schemaType === 'PROTOBUF') {
    const files = createFileRegistry(fromBinary(FileDescriptorSetSchema, Buffer.from(format.descriptors, 'base64')))
    const message = files.getMessage('shop.Payment')
    settings.registry = createMutableRegistry(message)
    record = create(message, record)
  }
  const written = await new Serializer(client, sr.SerdeType.VALUE, settings).serialize(topic, record)
  saw.written = written.toString('hex')
  const read = await new Deserializer(client, sr.SerdeType.VALUE, {}).deserialize(topic, Buffer.from(format.payload, 'hex'))
  saw.read = { id: read.id, cents: read.cents, note: read.note }
}

run('@confluentinc/schemaregistry', walk)
