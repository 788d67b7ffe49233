/** An answer's JSON object. */
export async function bodyOf(answer: Response): Promise<Record<string, unknown>> {
  const body: Record<string, unknown> = JSON.parse(await answer.text());
  return body;
}
