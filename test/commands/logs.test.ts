import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { BUILD } from '../support/build.js'
import { eventually } from '../support/eventually.js'
import { needs, openPlace } from '../support/place.js'
import { linesOf, type RealRun, realRun } from '../support/real-run.js'

const folder = mkdtempSync(join(tmpdir(), 'comanda-logs-'))
t.teardown(() => rmSync(folder, { recursive: true }))
const fileOf = (name: string, lines: readonly string[]) => {
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''))
  return join(folder, name)
}

interface Answer { code: number | null, lines: string[], errors: string }

function start (args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [join(BUILD, 'src/cli.js'), 'logs', ...args], { env: { PATH: process.env.PATH, HOME: process.env.HOME, TEST_MARK: process.env.TEST_MARK, ...env } })
}

/** As an operator types it, and pipes lines in. */
async function logs (args: string[], input = ''): Promise<Answer> {
  const child = start(args)
  child.stdin!.on('error', () => {}).end(input)
  const [lines, errors, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]) as [string, string, [number]]
  return { code, lines: lines.split('\n').slice(0, -1), errors }
}

const compose = (service: string, lines: readonly string[]) => lines.map((line) => `${service}-1${' '.repeat(8 - service.length)}| ${line}\n`).join('')

t.test('over the lines of a real run', needs('redis', 'rabbitmq'), async (t) => {
  const run: RealRun = await realRun(t, await openPlace(t))
  const files = [fileOf('worker.log', run.worker), fileOf('api.log', run.api)]
  const { order_id } = run.order

  t.test('--order tells the path of an order over both processes in the order of time', async (t) => {
    const { code, lines, errors } = await logs(['--order', order_id.toUpperCase(), ...files])
    t.strictSame([code, errors], [0, ''])
    const path = ['request POST /orders 202', 'request POST /orders 202', 'request PATCH /orders/:order_id 202', 'request DELETE /orders/:order_id 202']
    t.strictSame(lines.flatMap((line) => /request [A-Z]+ \S+ \d+/.exec(line) ?? []), path)
    const batches = lines.filter((line) => line.includes('event=batch_booked')).length
    t.ok(batches >= 1 && batches <= 3)
    t.match(lines[0], /^\S+Z {2} +\+\d+ ms {2}api {5}info {3}request POST \/orders 202 {2}request_id=placing/)
    t.match(lines.at(-1), /event=order_event_not_applied .*outcome=rejected/, 'the rival came last')
  })

  t.test('with the prefixes of docker compose, in colours and mixed with what is no line, it is the same path', async (t) => {
    const input = `Attaching to api-1, worker-1\n\n${compose('worker', run.worker)}\u001b[36mapi-1     | \u001b[0mnpm notice {not: json}\n${compose('api', run.api)}postgres-1| LOG:  ready\n{"time":1}\n[{}]\n`
    const piped = await logs(['--order', order_id], input)
    t.strictSame(piped.lines, (await logs(['--order', order_id, ...files])).lines)
    t.match(piped.errors, /^comanda logs: 5 of \d+ lines are not log lines of Comanda and were passed over\n$/)
    t.equal(piped.code, 0)
  })

  t.test('--request tells what one request did, the batch that booked it too', async (t) => {
    const { lines } = await logs(['--request', 'amending', '--json', ...files])
    const told = linesOf(lines)
    t.equal(told.length, lines.length)
    t.strictSame(told.map(({ name, event }) => `${name}: ${event}`), ['api: request', 'worker: batch_booked'])
    t.ok(told[1]!.request_ids!.includes('amending'))
  })

  t.test('an order that went by the fallback queue is told why', async (t) => {
    const { lines } = await logs(['--order', run.byFallback.order_id, ...files])
    t.match(lines.join('\n'), /event=fallback_taken .*reason="[^"]+"\n.*\n?.*event=batch_booked .*source=fallback/)
  })

  t.test('--slow leaves what was faster out', async (t) => {
    const slow = linesOf([...run.worker, ...run.api]).filter(({ duration_ms: ms = 0 }) => ms >= 20)
    t.ok(slow.length > 0)
    const { code, lines } = await logs(['--slow', '0.02s', '--json', ...files])
    t.strictSame([code, linesOf(lines)], [0, slow])
    t.strictSame(await logs(['--slow', '2m', ...files]), { code: 0, lines: [], errors: '' })
  })

  t.test('--errors counts by reason, with an example each', async (t) => {
    const errors = linesOf([...run.worker, ...run.api]).filter(({ level }) => level !== 'info')
    const { lines } = await logs(['--errors', '--json', ...files])
    const groups = lines.map((line) => JSON.parse(line) as { reason: string, count: number, example: { reason: string } })
    t.strictSame(groups.map(({ count }) => count), groups.map(({ count }) => count).sort((a, b) => b - a))
    t.equal(groups.reduce((sum, { count }) => sum + count, 0), errors.length)
    for (const { reason, count, example } of groups) t.strictSame([example.reason, count], [reason, errors.filter((one) => one.reason === reason).length])
    t.match((await logs(['--errors', ...files])).lines.join('\n'), / 1 x {2}unknown_user {2}\(\S+Z to \S+Z\)\n +\S+Z {2}worker {2}error {2}Event parked: .* {2}event=event_parked {2}/)
  })

  t.test('without options every line is shown, one each', async (t) => {
    t.equal((await logs(files)).lines.length, run.api.length + run.worker.length)
  })

  t.test('--follow tells the story so far and goes on, over files that grow and are replaced', async (t) => {
    const half = run.api.findIndex((line) => line.includes('"PATCH"'))
    const [api, worker] = [fileOf('growing.log', run.api.slice(0, half)), fileOf('growing-worker.log', [])]
    const child = start(['--follow', '--order', order_id, api, worker])
    let told = ''
    child.stdout!.on('data', (data) => { told += String(data) })
    const has = async (pattern: RegExp) => await eventually(String(pattern), () => pattern.test(told))
    await has(/request POST .*\n.*request POST /)
    const [next, ...rest] = run.api.slice(half)
    appendFileSync(api, next!.slice(0, 50))
    appendFileSync(worker, run.worker.join('\n') + '\n')
    await has(/event=batch_booked/)
    t.notMatch(told, /PATCH/, 'half a line is none')
    appendFileSync(api, `${next!.slice(50)}\n`)
    await has(/PATCH/)
    renameSync(api, `${api}.1`)
    fileOf('growing.log', rest)
    await has(/DELETE/)
    child.kill('SIGINT')
    t.strictSame(await once(child, 'close'), [0, null])
  })

  t.test('--follow on standard input tells each line as it comes', async (t) => {
    const child = start(['--follow', '--order', order_id, '--json'])
    const lines = new PassThrough()
    child.stdout!.pipe(lines)
    child.stdin!.write(compose('api', run.api))
    const [first] = await once(lines, 'data') as [Buffer]
    t.match(linesOf([first.toString().split('\n')[0]!])[0], { order_id })
    child.stdin!.end()
    lines.resume()
    t.strictSame(await once(child, 'close'), [0, null])
  })
})

const line = (keys: object) => JSON.stringify({ level: 'info', time: '2026-11-24T12:00:00.000Z', name: 'api', version: '0.1.0', pid: 1, event: 'request', msg: 'Request completed', ...keys })

t.test('what cannot be done is one clear line and exit code 1', async (t) => {
  const good = fileOf('good.log', [line({})])
  const table: Array<[args: string[], said: RegExp]> = [
    [[good, join(folder, 'none.log')], /^comanda logs: \S+none.log cannot be read: there is no such file\n$/],
    [[folder], /cannot be read: it is a directory\n$/],
    [['--slow', '100', good], /a duration is a number and its unit, such as 100ms, 1.5s, 2m/],
    [['--slow', '-1s', good], /a duration is a number/],
    [['--order', '42', good], /'--order <order_id>'.* must be a UUID/],
    [['--errors', '--follow', good], /cannot be used with option '--follow'/],
    [['--order', '0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a', good], /^comanda logs: none of 1 lines is about order 0199b2f4-6c1d-7e3a-9b58-2f6f0c1d4e7a\n$/],
    [['--request', 'x', good], /^comanda logs: none of 1 lines is about request x\n$/]
  ]
  for (const [args, said] of table) {
    const { code, lines, errors } = await logs(args)
    t.strictSame([code, lines], [1, []], args.join(' '))
    t.match(errors, said)
  }
})

t.test('nothing that a line holds steers the terminal', async (t) => {
  const steering = '\u001b]0;x\u0007\u009b31m\r\u202e\u2066\u200f\u2028\n'
  const { lines, errors } = await logs([], `${line({ event: steering, msg: steering, level: steering, reason: steering, [steering]: 1, err: { message: steering } })}\n${line({ event: steering, msg: steering, level: 'error', reason: steering })}\n`)
  t.equal(lines.length, 2)
  const told = await logs(['--json'], `${line({ reason: steering })}\n`)
  // eslint-disable-next-line no-control-regex -- what is looked for
  t.notMatch(lines.join('') + errors + told.lines.join(''), /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/)
  t.match(JSON.parse(told.lines[0]!), { reason: steering })
})

t.test('memory stays small over much more than it, endless lines included, and a reader that stops early is no fault', async (t) => {
  const child = start(['--slow', '1s'], { NODE_OPTIONS: '--max-old-space-size=48' })
  const piece = Buffer.from(`${line({ duration_ms: 3, text: 'x'.repeat(300) })}\n`.repeat(2000))
  const feed = async (bytes: Buffer) => { if (!child.stdin!.write(bytes)) await once(child.stdin!, 'drain') }
  const said = Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')])
  for (let fed = 0; fed < 100; fed++) await feed(piece)
  for (let fed = 0; fed < 100; fed++) await feed(Buffer.alloc(1024 * 1024, '{'))
  await feed(Buffer.from(`\n${line({ duration_ms: 1000 })}`))
  child.stdin!.end()
  const [shown, errors, [code]] = await said
  t.strictSame([code, shown.split('\n').length], [0, 2])
  t.match(errors, /^comanda logs: 1 of 200002 lines are not/)

  const head = start([])
  head.stdin!.on('error', () => {}).write(piece)
  await once(head.stdout!, 'data')
  head.stdout!.destroy()
  head.stdin!.end(piece)
  t.strictSame(await once(head, 'close'), [0, null])
})
