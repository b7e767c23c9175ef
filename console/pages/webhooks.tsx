import type { Webhook } from '../../clients/typescript/src/types.gen.js'
import { usePages } from '../load.js'
import { Code, Listed } from '../parts/states.js'
import { Status } from '../parts/status.js'
import { Time } from '../parts/time.js'
import { to } from '../route.js'

export function Webhooks () {
  const list = usePages<Webhook>('webhooks?limit=50')
  return (
    <>
      <h1>Webhooks</h1>
      <p class='quiet'>Where users are called when something happens. Of others' addresses only the origin shows.</p>
      <Listed list={list} empty='There is no webhook. Users register them by POST /webhooks.'>
        <div class='scroll'>
          <table>
            <thead><tr><th scope='col'>Webhook</th><th scope='col'>Leads to</th><th scope='col'>State</th><th scope='col'>Owner</th><th scope='col'>Since</th></tr></thead>
            <tbody>
              {list.items.map((webhook) => (
                <tr key={webhook.webhook_id}>
                  <th scope='row'><a href={to(`webhooks/${webhook.webhook_id}`)}><Code text={webhook.webhook_id} short={13} /></a></th>
                  <td class='text'>{webhook.url}</td>
                  <td><Status word={wordOf(webhook)} /></td>
                  <td><a href={to('users', { user_id: webhook.user_id })}>{webhook.user_id}</a></td>
                  <td><Time at={webhook.created_at} ago /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Listed>
    </>
  )
}

export function wordOf ({ state, failing_since: failing }: Webhook): string {
  return state === 'enabled' && failing !== null ? 'failing' : state
}
