import type { AccessRefusal } from "@soma/contracts/access";
import { DomainError } from "@soma/kit/domain-error";

type DomainErrorArguments = ConstructorParameters<typeof DomainError>;

/** A request that the door turned away: what its sender is told, and the class that is counted. */
export class AccessRefused extends DomainError {
  readonly reason: AccessRefusal;
  constructor(reason: AccessRefusal, ...told: DomainErrorArguments) {
    super(...told);
    this.reason = reason;
  }
}
