import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { searchLogs } from './personal-data.js'

const ana: Record<string, string> = { cpf: '52998224725', email: 'ana.c@example.com', phone_number: '+55 (11) 91234-5678', password: 'a "quoted" password' }

function search (logs: string[][], people = [ana], whole = true): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'comanda-logs-'))
  try {
    logs.forEach((lines, index) => writeFileSync(join(folder, `${index}.log`), lines.map((line) => `${line}\n`).join('')))
    people.forEach((person, index) => writeFileSync(join(folder, `${index}.values`), Object.entries(person).map((entry) => `${JSON.stringify(entry)}\n`).join('')))
    return searchLogs(folder, whole)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

t.test('a planted value is found, named by its kind and shown with its line, wherever it is', async (t) => {
  const table: Array<[kind: string, line: string]> = [
    ['cpf', '{"msg":"Key (cpf)=(52998224725) already exists."}'],
    ['email', '{"msg":"request","to":"ana.c@example.com"}'],
    ['phone_number', '{"msg":"called +55 (11) 91234-5678 in vain"}'],
    ['phone_number', '{"tel":"5511912345678"}'],
    ['password', 'a "quoted" password'],
    ['password', JSON.stringify({ body: { password: ana.password } })]
  ]
  for (const [kind, line] of table) {
    t.strictSame(search([['{"msg":"started"}'], ['{"msg":"a"}', line, '{"msg":"b"}']]), [`personal data in a log: a ${kind} in ${line}`])
  }
})

t.test('clean logs have no fault', async (t) => {
  t.strictSame(search([['{"msg":"request","user_id":52998}']]), [])
})

t.test('nothing to search is a fault of a whole run, not of a part', async (t) => {
  for (const [logs, people] of [[[], [ana]], [[['x']], []]] as Array<[string[][], typeof ana[]]>) {
    t.match(search(logs, people), [/^personal data was not searched for/])
    t.strictSame(search(logs, people, false), [])
  }
})
