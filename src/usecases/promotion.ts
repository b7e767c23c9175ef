import { UserError } from '../users/errors.js'
import { canonicalName } from '../users/user.js'

/** @throws StoreError when it cannot be asked */
export interface PromotionPort {
  /** @returns the user_id; null when no user has the name */
  promote (nickName: string): Promise<number | null>
}

/** Makes a user an operator. @returns the user_id @throws UserError `user_not_found` */
export async function promoteToOperator (users: PromotionPort, nickName: string): Promise<number> {
  const userId = await users.promote(canonicalName(nickName))
  if (userId === null) throw new UserError('user_not_found')
  return userId
}
