// @kafkajs/confluent-schema-registry, unmodified. It reads no level but the one it set, and it has no deletes.
const { SchemaRegistry, COMPATIBILITY } = require('@kafkajs/confluent-schema-registry')
const { run, refusal } = require('./journey.cjs')

const failure = ({ status, message }) => ({ status, message })

async function walk(journey, type, format, saw) {
  const subject = `${journey.prefix}-${type}-value`
  const open = () => new SchemaRegistry({ host: journey.registry, retry: { retries: 0 } })
  const options = { subject, compatibility: COMPATIBILITY.BACKWARD }

  let client = open()
  saw.first = (await client.register({ type, schema: format.first }, options)).id
  saw.second = (await client.register({ type, schema: format.second }, options)).id
  saw.refused = failure(await refusal(() => client.register({ type, schema: format.breaking }, options)))
  const other = { subject, compatibility: COMPATIBILITY.FULL }
  saw.other_level = (await refusal(() => client.register({ type, schema: format.second }, other))).message

  client = open() // another process: nothing of the above is in its caches
  saw.again = (await client.register({ type, schema: format.first }, options)).id
  saw.latest_id = await client.getLatestSchemaId(subject)
  saw.by_version = await client.getRegistryId(subject, 1)
  saw.looked_up_id = await client.getRegistryIdBySchema(subject, { type, schema: format.first })
  saw.missing = failure(await refusal(() => client.getLatestSchemaId(`${subject}-missing`)))

  client = open()
  saw.written = (await client.encode(saw.second, format.record)).toString('hex')
  const read = await client.decode(Buffer.from(format.payload, 'hex'))
  saw.read = { id: read.id, cents: read.cents, note: read.note }
}

run('@kafkajs/confluent-schema-registry', walk)
