// Loaded before anything else (node --require): the servers of @atproto/dev-env listen on every
// interface and have no setting for it, so whoever asks for a TCP port here gets it on loopback.
'use strict'

const net = require('node:net')

const LOOPBACK = '127.0.0.1'
const listen = net.Server.prototype.listen

const isPort = (value) => typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))

net.Server.prototype.listen = function listenOnLoopback(first, ...rest) {
  if (first === undefined || first === null || typeof first === 'function') {
    return listen.call(this, { port: 0, host: LOOPBACK }, first ?? rest[0])
  }
  if (isPort(first)) {
    const ready = rest.find((value) => typeof value === 'function')
    return listen.call(this, { port: Number(first), host: LOOPBACK }, ready)
  }
  if (typeof first === 'object' && 'port' in first) {
    return listen.call(this, { ...first, host: LOOPBACK }, ...rest)
  }
  return listen.call(this, first, ...rest)
}
