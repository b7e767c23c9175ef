import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { freshFolder } from '../support/folders.js'

const script = join('scripts', 'install.mjs')
const noScript = spawnSync('script', ['--version']).error ? 'no `script` on this machine (bsdutils)' : false

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

/** While npm is at work: clocks tick every 10 ms, and npm ends once what was printed satisfies `sign`. */
async function whileInstalling (t: Test, command: (args: readonly string[]) => readonly string[], sign: RegExp): Promise<string> {
  const folder = freshFolder(t)
  project(folder, 'const wait = setInterval(() => { if (require("fs").existsSync("enough")) clearInterval(wait) }, 10); setTimeout(process.exit, 60_000).unref()')
  const quick = join(folder, 'quick.cjs')
  writeFileSync(quick, 'const real = setInterval; globalThis.setInterval = (work) => real(work, 10)')
  const [first, ...args] = command([process.execPath, '--require', quick, script, folder])
  const child = spawn(first!, args, { env: { PATH: process.env.PATH, npm_execpath: join(folder, 'npm.cjs') }, stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGTERM')) // it takes npm along
  const closed = once(child, 'close')
  let text = ''
  for await (const piece of child.stdout.setEncoding('utf8')) {
    text += String(piece)
    if (sign.test(text)) writeFileSync(join(folder, 'enough'), '')
  }
  await closed
  return text
}

t.test('while packages are installed, a line now and then says that it is at work', async t => {
  const text = await whileInstalling(t, args => args, /\d s\n.*\d s\n/)
  t.match(text, /^Installing packages \(npm ci\) \.\.\.\n(Installing packages \(npm ci\) \.\.\. \d+ s\n){2,}$/)
})

t.test('on a terminal it is one line that counts the seconds', { skip: noScript }, async t => {
  const text = await whileInstalling(t, args => ['script', '-qfec', args.map(arg => `'${arg}'`).join(' '), '/dev/null'], /\d s\r.*\d s/)
  t.match(text, /^Installing packages \(npm ci\) \.\.\.(\rInstalling packages \(npm ci\) \.\.\. \d+ s){2,}\r?\n$/)
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
