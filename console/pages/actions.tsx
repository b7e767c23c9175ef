import type { Action } from '../../clients/typescript/src/types.gen.js'
import { query } from '../api.js'
import { usePages } from '../load.js'
import { Code, Listed } from '../parts/states.js'
import { Time } from '../parts/time.js'
import { go, route, to } from '../route.js'

/** Who did what to what. */
export function Actions () {
  const { actor = '', target_id: target = '', target_kind: kind = '' } = route.value.query
  const list = usePages<Action>(`actions${query({ limit: 50, actor, target_id: target, target_kind: kind })}`)
  const find = (event: SubmitEvent): void => {
    event.preventDefault()
    const form = new FormData(event.target as HTMLFormElement)
    go('actions', { actor: String(form.get('actor')).trim(), target_id: String(form.get('target_id')).trim() })
  }
  return (
    <>
      <h1>Audit</h1>
      <form class='filter' onSubmit={find} key={location.hash}>
        <label>By<input name='actor' defaultValue={actor} placeholder='operator:2' pattern='\s*((user|operator|cli|rule):.+)?\s*' title='operator:2, user:7, cli:name or rule:name' /></label>
        <label>To<input name='target_id' defaultValue={target} maxLength={64} placeholder='an id' /></label>
        <button class='primary' type='submit'>Find</button>
        <button type='button' onClick={list.reload}>Refresh</button>
      </form>
      <Listed list={list} empty='No such action is recorded.'>
        <div class='scroll'>
          <table>
            <thead><tr><th scope='col'>When</th><th scope='col'>By</th><th scope='col'>Way</th><th scope='col'>What</th><th scope='col'>To</th><th scope='col'>Request</th></tr></thead>
            <tbody>
              {list.items.map((action) => (
                <tr key={action.action_id}>
                  <td><Time at={action.done_at} /></td>
                  <td class='text'><a href={to('actions', { actor: action.actor })}>{action.actor}</a></td>
                  <td>{action.way}</td>
                  <td>{action.action}</td>
                  <td>{action.target_kind.replace('_', ' ')} <a href={to('actions', { target_id: action.target_id, target_kind: action.target_kind })}><Code text={action.target_id} short={13} /></a></td>
                  <td>{action.request_id === null ? '–' : <Code text={action.request_id} short={13} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Listed>
    </>
  )
}
