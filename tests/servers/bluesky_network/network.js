// Starts a whole Bluesky network in this process and writes its addresses to the file named by
// HEARD_READY_FILE once it serves. Ports come from the environment; PostgreSQL and Redis are outside.
'use strict'

const fs = require('node:fs')
const { TestNetwork } = require('@atproto/dev-env')

const port = (name) => Number(process.env[name])

async function main() {
  const appViewPort = port('HEARD_APPVIEW_PORT')
  const pictures = `http://localhost:${appViewPort}/img`
  const network = await TestNetwork.create({
    dbPostgresSchema: 'heard',
    plc: { port: port('HEARD_PLC_PORT') },
    pds: {
      port: port('HEARD_PDS_PORT'),
      hostname: 'localhost',
      // As the real service: without it no answer carries the ratelimit-* headers.
      rateLimitsEnabled: true,
      bskyAppViewCdnUrlPattern: `${pictures}/%s/plain/%s/%s`,
    },
    bsky: { port: appViewPort, publicUrl: `http://localhost:${appViewPort}` },
    ozone: { port: port('HEARD_OZONE_PORT') },
  })
  const ready = { url: network.pds.url, appview_url: network.bsky.url }
  // Renamed into place, so that nobody reads half of it.
  fs.writeFileSync(`${process.env.HEARD_READY_FILE}.part`, JSON.stringify(ready))
  fs.renameSync(`${process.env.HEARD_READY_FILE}.part`, process.env.HEARD_READY_FILE)
}

// Everything it keeps is thrown away with the folder: nothing is worth closing in order.
process.on('SIGTERM', () => process.exit(0))

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
