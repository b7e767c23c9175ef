/** A browser's name for it, which the typed client uses. */
type BodyInit = NonNullable<RequestInit['body']>
