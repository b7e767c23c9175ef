import type { ListedUser, User } from '../../clients/typescript/src/types.gen.js'
import { ask, query } from '../api.js'
import { type Pages, useLoaded, usePages } from '../load.js'
import { useQuestion } from '../parts/dialog.js'
import { Listed } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { go, route, to } from '../route.js'

/** Found by number or by their exact name; made operators by one who gives their own password. */
export function Users () {
  const { user_id: id = '', nick_name: name = '' } = route.value.query
  const find = (event: SubmitEvent): void => {
    event.preventDefault()
    const sought = String(new FormData(event.target as HTMLFormElement).get('sought')).trim()
    go('users', /^[0-9]+$/.test(sought) ? { user_id: sought } : { nick_name: sought })
  }
  return (
    <>
      <h1>Users</h1>
      <form class='filter' onSubmit={find} key={location.hash}>
        <label>User id or exact name<input name='sought' defaultValue={id || name} maxLength={50} /></label>
        <button class='primary' type='submit'>Find</button>
      </form>
      <p class='quiet'>What is looked at here is recorded in the audit.</p>
      {id === '' ? <Named name={name} /> : <Numbered id={id} />}
    </>
  )
}

function Named ({ name }: { name: string }) {
  return <Table list={usePages<ListedUser>(`users${query({ limit: 20, nick_name: name })}`)} />
}

function Numbered ({ id }: { id: string }) {
  const { data, error, loading, reload } = useLoaded<ListedUser>(`users/${encodeURIComponent(id)}`)
  return <Table list={{ items: data ? [data] : [], error, loading, more: null, reload }} />
}

function Table ({ list }: { list: Pages<ListedUser> }) {
  const [dialog, question] = useQuestion()
  const { data: me } = useLoaded<User>('users/me')
  const promote = ({ user_id: id, nick_name: name }: ListedUser): void => question({
    title: `Make ${name} an operator?`,
    text: (
      <>
        <p>User {id}. Operators see everything and move every order. Their sessions end: the role counts from the next login on. Only the command line takes it away again.</p>
        <input class='hidden' name='username' autocomplete='username' value={me?.nick_name} readOnly tabIndex={-1} aria-hidden='true' />
        <label>Your own password<input name='password' type='password' autocomplete='current-password' required maxLength={128} /></label>
      </>
    ),
    yes: 'Make an operator',
    danger: true,
    act: async (form) => {
      await ask('PUT', `users/${id}/role`, { role: 'operator', password: String(form.get('password')) })
      list.reload()
    }
  })
  return (
    <>
      {dialog}
      <Listed list={list} empty='There is no such user.'>
        <div class='scroll'>
          <table>
            <thead><tr><th scope='col'>User</th><th scope='col'>Name</th><th scope='col'>Full name</th><th scope='col'>E-mail</th><th scope='col'>Role</th><th scope='col'>Since</th><th scope='col'>Orders</th><th scope='col'><span class='hidden'>What can be done</span></th></tr></thead>
            <tbody>
              {list.items.map((user) => (
                <tr key={user.user_id}>
                  <th scope='row'>{user.user_id}</th><td class='text'>{user.nick_name}</td><td class='text'>{user.full_name}</td><td class='text'>{user.email}</td>
                  <td><Status word={user.role} /></td><td><Time at={user.created_at} ago /></td><td><a href={to('orders', { user_id: user.user_id })}>orders</a></td>
                  <td>{user.role === 'customer' && <button type='button' class='small' onClick={() => promote(user)}>Make an operator</button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Listed>
    </>
  )
}
