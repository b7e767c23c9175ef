import type { Job } from '../../clients/typescript/src/types.gen.js'
import { ask } from '../api.js'
import { to } from '../route.js'
import { Status } from './status.js'
import { Time } from './time.js'

/** How far a job is, and a way to stop it. */
export function Progress ({ job, onChange }: { job: Job, onChange: () => void }) {
  const { job_id: id, kind, state, total, done, failed, actor, created_at: at } = job
  return (
    <div class='job'>
      <p>
        <a href={to(`jobs/${id}`)}>{kind === 'parked.replay' ? 'Replay' : 'Discard'}</a> <Status word={state} /> {done} of {total}{failed > 0 && `, ${failed} could not be`}
        <span class='quiet'> · {actor}, <Time at={at} ago /></span>
        {state === 'running' && <> <button type='button' class='small' onClick={() => { void ask('POST', `jobs/${id}/cancel`).then(onChange, onChange) }}>Stop it</button></>}
      </p>
      <progress max={Math.max(total, 1)} value={done + failed} aria-label={`${done + failed} of ${total}`} />
    </div>
  )
}
