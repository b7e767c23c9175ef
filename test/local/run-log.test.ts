import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { logFileOf, logFilesIn, RunLog } from '../../local/run-log.js'
import { freshFolder } from '../support/folders.js'

t.test('the file holds the lines of one run, and does not grow for ever', async (t) => {
  const folder = freshFolder(t)
  const file = logFileOf(folder, 'api')
  writeFileSync(file, 'of an earlier run\n')
  writeFileSync(`${file}.1`, 'of an earlier run\n')
  const log = new RunLog(file, 10)
  t.strictSame(logFilesIn(folder, ['api', 'worker'], true), [file])

  for (const word of ['one', 'two', 'three', 'four', 'five', 'six']) log.append(`${word}\n`)
  const files = logFilesIn(folder, ['api', 'worker'], true)
  t.strictSame(files, [`${file}.1`, file], 'the older lines first')
  t.strictSame(files.map((each) => readFileSync(each, 'utf8')), ['one\ntwo\nthree\n', 'four\nfive\nsix\n'])

  log.append('seven\n')
  t.strictSame(files.map((each) => readFileSync(each, 'utf8')), ['four\nfive\nsix\n', 'seven\n'], 'what is older still is gone')
  t.strictSame(logFilesIn(folder, ['api'], false), [file], 'to follow it, where lines are written')
})
