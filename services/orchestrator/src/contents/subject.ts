/** A person whose texts are encrypted with a key of their own: a user of a tenant. */
export interface Subject {
  readonly tenant: string;
  readonly user: string;
}

/** A key for maps; neither id holds a line break. */
export function subjectName({ tenant, user }: Subject): string {
  return `${tenant}\n${user}`;
}
