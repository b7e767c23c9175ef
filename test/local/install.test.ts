import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { freshFolder } from './bare-machine.js'

const script = join('scripts', 'install.mjs')

/** A project with a lock file and an npm that only notes how it was called. */
function project (folder: string, npm = 'require("fs").writeFileSync("called", process.argv.slice(2).join(" "))') {
  writeFileSync(join(folder, 'package-lock.json'), '{}')
  writeFileSync(join(folder, 'npm.cjs'), npm)
  return {
    folder,
    called: join(folder, 'called'),
    run: (args: string[] = []) => spawnSync(process.execPath, [...args, script, folder], { encoding: 'utf8', env: { npm_execpath: join(folder, 'npm.cjs') } })
  }
}

t.test('packages that are missing are installed, without their scripts', async t => {
  const { run, called } = project(freshFolder(t))
  const { status, stdout } = run()
  t.equal(status, 0)
  t.match(stdout, /^Installing packages[^\n]*\n$/)
  t.match(readFileSync(called, 'utf8'), /^ci --ignore-scripts/)
})

t.test('packages older than the lock are installed again, newer ones are left as they are', async t => {
  const { run, called, folder } = project(freshFolder(t))
  mkdirSync(join(folder, 'node_modules'))
  writeFileSync(join(folder, 'node_modules/.package-lock.json'), '{}')
  const lock = join(folder, 'package-lock.json')
  utimesSync(lock, 1000, 1000)
  t.equal(run().stdout, '')
  t.equal(existsSync(called), false)
  utimesSync(lock, new Date(), new Date(Date.now() + 5000))
  t.match(run().stdout, 'Installing')
  t.equal(existsSync(called), true)
})

t.test('an npm that fails is the end, with what it said', async t => {
  const { run } = project(freshFolder(t), 'console.error("no network"); process.exit(7)')
  const { status, stderr } = run()
  t.equal(status, 7)
  t.match(stderr, /no network\nnpm ci failed/)
})

t.test('an old Node is refused in one line', async t => {
  const { run, called, folder } = project(freshFolder(t))
  const old = join(folder, 'old.cjs')
  writeFileSync(old, 'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.3" } })')
  const { status, stderr } = run(['--require', old])
  t.equal(status, 1)
  t.equal(stderr, 'Comanda needs Node 20.19 or newer; this is 20.18.3.\n')
  t.equal(existsSync(called), false)
})
