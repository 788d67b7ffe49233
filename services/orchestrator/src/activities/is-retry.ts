import { asyncLocalStorage } from "@temporalio/activity";

/** True inside an activity that is being tried again. */
export function isActivityRetry(): boolean {
  return (asyncLocalStorage.getStore()?.info.attempt ?? 1) > 1;
}
