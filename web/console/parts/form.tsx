// A form whose errors come from a payload: each beside the field that its path names, the others above the button.
import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { sentence } from '../failure';
import { meaningOfPasswordViolation, type ProblemFragment } from '../generated';
import { Notice } from './notice';

export type Problem = ProblemFragment;

interface FormState {
  isBusy: boolean;
  /** What is wrong with the field of this name. */
  problemOf(field: string): string | undefined;
}

const Context = createContext<FormState>({ isBusy: false, problemOf: () => undefined });

export const useForm = () => useContext(Context);

interface Props {
  /** Sends what was filled in; answers what the person can fix. */
  onSend(values: FormData): Promise<readonly Problem[]>;
  /** The field that a problem without a path belongs to. */
  place?: Record<string, string>;
  className?: string;
  label?: string;
  children: ReactNode;
}

export function Form({ onSend, place = {}, className = 'form', label, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const [isBusy, setBusy] = useState(false);
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [failure, setFailure] = useState<string>();

  const fieldOf = (problem: Problem) => problem.path.at(-1) ?? place[problem.code];
  const hasField = (name: string | undefined) => name !== undefined && form.current?.elements.namedItem(name) != null;

  async function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setFailure(undefined);
    try {
      setProblems(await onSend(new FormData(event.currentTarget)));
    } catch (error) {
      setProblems([]);
      setFailure(sentence(error));
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
    <form ref={form} className={className} aria-label={label} noValidate onSubmit={send}>
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

/** The server's sentence, with what it says beside. */
function textOf({ message, violations, retryAfter }: Problem): string {
  const reasons = violations.map((violation) => meaningOfPasswordViolation[violation]);
  const wait = retryAfter ? [`Try again in ${retryAfter} s.`] : [];
  return [asSentence(message), ...reasons, ...wait].join(' ');
}

function asSentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
