/** What is wrong with a Subscription, collected so that one answer names everything. */
import { VitalwireError } from '../base/errors.ts';

export interface Problem {
  /** FHIR issue type. */
  readonly code: 'required' | 'value' | 'invalid' | 'not-supported';
  readonly details: string;
  /** FHIRPath of the element at fault. */
  readonly expression: readonly string[];
}

export class Problems {
  readonly all: Problem[] = [];

  add(code: Problem['code'], expression: string, details: string): void {
    this.all.push({ code, details, expression: [expression] });
  }

  /** @throws VitalwireError `resource.rule` (422) that names every problem. */
  throwIfAny(): void {
    const [first] = this.all;
    if (first)
      throw new VitalwireError('resource.rule', first.details, { expression: first.expression, issues: this.all });
  }
}
