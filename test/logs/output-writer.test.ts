import { execFileSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { droppedLines, OutputWriter } from '../../src/logs/output-writer.js'
import { eventually } from '../support/eventually.js'
import { freshFolder } from '../support/folders.js'

/** A pipe: its writing end, non-blocking, and what can be read of it now. */
function openPipe (t: Test): { fd: number, read: () => string, closeReader: () => void } {
  const path = join(freshFolder(t), 'pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  let open = true
  const closeReader = () => {
    if (open) closeSync(reader)
    open = false
  }
  t.teardown(() => {
    closeReader()
    closeSync(fd)
  })
  const read = () => {
    const bytes = Buffer.alloc(1 << 20)
    try {
      return bytes.toString('latin1', 0, readSync(reader, bytes))
    } catch {
      return ''
    }
  }
  return { fd, read, closeReader }
}

t.test('lines are in the pipe at once while its reader reads', async (t) => {
  const { fd, read } = openPipe(t)
  const writer = new OutputWriter(fd, () => t.fail('nothing was dropped'))
  for (const line of ['one\n', 'two\nthree\n']) {
    writer.write(line)
    t.equal(read(), line)
  }
})

t.test('what a reader leaves in the pipe is kept whole and in order, up to 1 MiB, and what is beyond it counted and told once it reads on', async (t) => {
  const { fd, read } = openPipe(t)
  const told: number[] = []
  const writer = new OutputWriter(fd, (lines) => { told.push(lines) })
  const before = droppedLines.count
  const lines = Array.from({ length: 2000 }, (_, number) => `${String(number).padStart(5, '0')} ${'x'.repeat(993)}\n`)
  for (const line of lines) writer.write(line)
  const dropped = droppedLines.count - before
  t.ok(dropped > 800 && dropped < 952, `${dropped} of 2000`)
  let text = ''
  await eventually('it reads what was kept', () => {
    text += read()
    return told.length > 0
  })
  text += read()
  t.strictSame(told, [dropped])
  t.equal(text, lines.slice(0, 2000 - dropped).join(''))
  writer.write('after\n')
  t.equal(read(), 'after\n')
})

t.test('with its reader gone lines are dropped and nothing fails', async (t) => {
  const { fd, closeReader } = openPipe(t)
  const writer = new OutputWriter(fd, () => t.fail('nobody reads'))
  closeReader()
  const before = droppedLines.count
  for (let many = 0; many < 3; many++) writer.write('lost\n')
  t.equal(droppedLines.count - before, 2, 'the first is found lost by writing it')
})

t.test('a disk that is full fails nothing: lines are kept, and what is beyond 1 MiB counted', { skip: !existsSync('/dev/full') && 'no /dev/full on this machine' }, (t) => {
  const fd = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(fd))
  const writer = new OutputWriter(fd, () => t.fail('there is no room yet'))
  const before = droppedLines.count
  const line = `${'x'.repeat(1023)}\n`
  for (let many = 0; many < 1024; many++) writer.write(line)
  t.equal(droppedLines.count - before, 0)
  for (let many = 0; many < 3; many++) writer.write(line)
  t.equal(droppedLines.count - before, 3)
  t.end()
})
