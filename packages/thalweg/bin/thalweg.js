#!/usr/bin/env node
// Old syntax on purpose: this file must parse on any Node since 12, to say there what is missing.
'use strict'

var fs = require('fs')
var path = require('path')
var url = require('url')

var source = path.join(__dirname, '../src/cli/main.ts')
var bundle = path.join(__dirname, '../dist/main.js')
var workspaceNode = path.join(__dirname, '../../../node_modules/node/bin/node')

// The published package has no sources; a checkout has them and runs them as they are.
var isCheckout = fs.existsSync(source)

function isNewEnough(version) {
  var parts = version.split('.').map(Number)
  return parts[0] > 22 || (parts[0] === 22 && parts[1] >= 18)
}

/** Starts this file again on the Node that the checkout installed, and takes over its exit status. */
function runOnWorkspaceNode() {
  var args = [__filename].concat(process.argv.slice(2))
  var child = require('child_process').spawn(workspaceNode, args, { stdio: 'inherit' })
  // A terminal sends SIGINT to both processes; the child decides what it means.
  process.on('SIGINT', function () {})
  process.on('SIGTERM', function () {
    child.kill('SIGTERM')
  })
  child.on('exit', function (code, signal) {
    process.exitCode = signal === 'SIGTERM' ? 143 : code === null ? 1 : code
  })
}

/** Stripping types and compiling takes longer than most commands: what was done once is kept, for this process and for
 *  those it starts. */
function keepCompiled() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE) return
  var folder = path.join(__dirname, '../../../.cache/compiled')
  process.env.NODE_COMPILE_CACHE = folder
  require('module').enableCompileCache(folder)
}

if (isNewEnough(process.versions.node)) {
  if (isCheckout) keepCompiled()
  import(url.pathToFileURL(isCheckout ? source : bundle).href).catch(function (error) {
    console.error(error)
    process.exitCode = 1
  })
} else if (isCheckout && fs.existsSync(workspaceNode) && fs.realpathSync(workspaceNode) !== process.execPath) {
  runOnWorkspaceNode()
} else {
  console.error(
    'thalweg: Node 22.18 or newer is needed, got ' + process.versions.node + '. Run: npx -p node@24 -p thalweg thalweg',
  )
  process.exitCode = 2
}
