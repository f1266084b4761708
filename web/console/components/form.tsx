// A form that shows the errors of a payload: each at the field of its path, all others at the end of the form.
import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { errorMessage } from '../errors';
import { type ProblemFragment, passwordViolationDescriptions } from '../generated';
import { Notice } from './notice';

export type Problem = ProblemFragment;

interface FormState {
  isBusy: boolean;
  /** Error message of a field. */
  problemOf(field: string): string | undefined;
}

const Context = createContext<FormState>({ isBusy: false, problemOf: () => undefined });

export const useForm = () => useContext(Context);

interface Props {
  /** Sends the values; returns the errors the user can correct. */
  onSubmit(values: FormData): Promise<readonly Problem[]>;
  /** The field for errors without a path, by error code. */
  fieldByCode?: Record<string, string>;
  className?: string;
  label?: string;
  children: ReactNode;
}

export function Form({ onSubmit, fieldByCode = {}, className = 'form', label, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [failure, setFailure] = useState<string>();

  const fieldOf = (problem: Problem) => problem.path.at(-1) ?? fieldByCode[problem.code];
  const hasField = (name: string | undefined) => name !== undefined && form.current?.elements.namedItem(name) != null;

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      setProblems(await onSubmit(new FormData(event.currentTarget)));
    } catch (error) {
      setProblems([]);
      setFailure(errorMessage(error));
    } finally {
      setBusy(false);
    }
  }

  useEffect(() => {
    if (problems.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [problems]);

  const state: FormState = {
    isBusy,
    problemOf(field) {
      const own = problems.find((problem) => fieldOf(problem) === field);
      return own && textOf(own);
    },
  };
  const others = problems.filter((problem) => !hasField(fieldOf(problem))).map(textOf);
  return (
    <form ref={form} className={className} aria-label={label} noValidate onSubmit={submit}>
      <Context value={state}>
        {children}
        {[...others, ...(failure ? [failure] : [])].map((text) => (
          <Notice key={text} kind="bad">
            {text}
          </Notice>
        ))}
      </Context>
    </form>
  );
}

/** The server's message with password violations and waiting time. */
function textOf({ message, violations, retryAfter }: Problem): string {
  const reasons = violations.map((violation) => passwordViolationDescriptions[violation]);
  const wait = retryAfter ? [`Try again in ${retryAfter} s.`] : [];
  return [asSentence(message), ...reasons, ...wait].join(' ');
}

function asSentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
