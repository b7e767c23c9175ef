import t from 'tap'
import { passwordFault } from '../../src/users/password.js'

const own = { nick_name: 'Ana-Lu', full_name: 'Ana Luiza Conceição', cpf: '52998224725', email: 'ana.luiza@example.com', phone_number: '+55 11 91234-5678' }
const fault = (password: string) => passwordFault(password, own)

t.test('any characters do, from 8 to 128 of them: there are no rules of composition', async (t) => {
  for (const good of ['correct horse', 'xkqzvwjp', '83920175', 'ação não é', '🌺🌻🌺🌻🌺🌻🌺🌻', 'a b c d e f', `${'🌺'.repeat(64)}${'🌻'.repeat(64)}`]) t.equal(fault(good), null, good)
  t.match(fault('xkqzvwj'), /at least 8/)
  t.match(fault('🌺🌻🌺🌻🌺🌻🌺'), /at least 8/, 'characters are counted, not their halves')
  t.match(fault('xy'.repeat(65)), /at most 128/)
})

t.test('blanks alone, and one character repeated, are refused', async (t) => {
  for (const bad of [' '.repeat(8), ' \t \u2003 \u00a0  ', 'a'.repeat(20), 'aAaAaAaA', '🌺'.repeat(9)]) t.match(fault(bad), /one character repeated/, bad)
})

t.test('one\'s own data counts for nothing, however it is written', async (t) => {
  for (const bad of ['ana-lu12', 'ANA-LU2026', 'anaLuizaConceição', 'CONCEIC\u0327A\u0303O1', '52998224725', '52998224725!', '529.982.247-25', '529 982 247/25 x', '５２９.９８２.２４７-２５', 'ana.luiza@example.com', 'ana.luiza1990', '+55 11 91234-5678', '5511912345678x', 'Comanda1', 'comanda comanda', 'luizaluizaluiza']) {
    t.match(fault(bad.normalize('NFC')), /besides your own/, bad)
  }
  t.equal(fault('ana-lu and the blue door'), null, 'beside enough of something else')
  t.equal(passwordFault('banana boat song', { ...own, nick_name: 'a', full_name: 'Xi O' }), null, 'a short word is in too many others')
})
