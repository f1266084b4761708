// Buttons: one that sends a form, and one that does something at once and tells if it failed.
import { type ReactNode, useState } from 'react';
import { sentence } from '../failure';
import { type Problem, useForm } from './form';
import { Notice } from './notice';

export function Submit({ children }: { children: ReactNode }) {
  const { isBusy } = useForm();
  return (
    <button type="submit" className="button primary" aria-disabled={isBusy}>
      {isBusy ? 'One moment…' : children}
    </button>
  );
}

interface ActionProps {
  /** Does it; answers what the person can fix. */
  onAct(): Promise<readonly Problem[]>;
  /** Asked before, where there is no way back. */
  question?: string;
  kind?: 'plain' | 'danger';
  /** For screen readers, where the text alone does not say what it is about. */
  label?: string;
  children: ReactNode;
}

export function Action({ onAct, question, kind = 'plain', label, children }: ActionProps) {
  const [isBusy, setBusy] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const [failure, setFailure] = useState<string>();

  async function act() {
    if (isBusy) return;
    setAsking(false);
    setBusy(true);
    setFailure(undefined);
    try {
      setFailure((await onAct())[0]?.message);
    } catch (error) {
      setFailure(sentence(error));
    } finally {
      setBusy(false);
    }
  }

  if (isAsking) {
    return (
      <fieldset className="asking">
        <legend>{question}</legend>
        <button type="button" className="button danger" onClick={act}>
          {children}
        </button>
        {/* biome-ignore lint/a11y/noAutofocus: the question stands where the focus was, and its safe answer has it */}
        <button type="button" className="button" autoFocus onClick={() => setAsking(false)}>
          Cancel
        </button>
      </fieldset>
    );
  }
  return (
    <>
      <button
        type="button"
        className={`button ${kind}`}
        aria-label={label}
        aria-disabled={isBusy}
        onClick={question ? () => setAsking(true) : act}
      >
        {isBusy ? 'One moment…' : children}
      </button>
      {failure && <Notice kind="bad">{failure}</Notice>}
    </>
  );
}
