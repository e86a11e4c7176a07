// What the Node programs share: the journey that standard input describes, and the report of what the registry client
// saw, which goes to standard output. The test that started the program judges the report.
const { readFileSync } = require('node:fs')

async function run(name, walk) {
  const journey = JSON.parse(readFileSync(0, 'utf8'))
  const report = { version: require(`${name}/package.json`).version, formats: {} }
  for (const [format, described] of Object.entries(journey.formats)) {
    const saw = {}
    try {
      await walk(journey, format, described, saw)
    } catch (error) {
      console.error(`${format}, after ${JSON.stringify(saw)}:`, error)
      process.exit(1)
    }
    report.formats[format] = saw
  }
  process.stdout.write(JSON.stringify(report))
}

/** The error that the promise of `action` is rejected with. */
async function refusal(action) {
  try {
    await action()
  } catch (error) {
    return error
  }
  throw new Error(`was not refused: ${action}`)
}

module.exports = { run, refusal }
