// Buttons: `Submit` sends a form, `Action` runs at once and shows its error.
import { type ReactNode, useState } from 'react';
import { errorMessage } from '../errors';
import { type Problem, useForm } from './form';
import { Notice } from './notice';

export function Submit({ children }: { children: ReactNode }) {
  const { isBusy } = useForm();
  return (
    <button type="submit" className="button primary" aria-disabled={isBusy}>
      {isBusy ? 'Please wait…' : children}
    </button>
  );
}

interface ActionProps {
  /** Runs the action; returns the errors the user can correct. */
  onAction(): Promise<readonly Problem[]>;
  /** Confirmation for actions that cannot be undone. */
  confirmation?: string;
  kind?: 'plain' | 'danger';
  /** Accessible name, where the text alone is ambiguous. */
  label?: string;
  children: ReactNode;
}

export function Action({ onAction, confirmation, kind = 'plain', label, children }: ActionProps) {
  const [isBusy, setBusy] = useState(false);
  const [isConfirming, setConfirming] = useState(false);
  const [error, setError] = useState<string>();

  async function act() {
    if (isBusy) return;
    setConfirming(false);
    setBusy(true);
    setError(undefined);
    try {
      setError((await onAction())[0]?.message);
    } catch (thrown) {
      setError(errorMessage(thrown));
    } finally {
      setBusy(false);
    }
  }

  if (isConfirming) {
    return (
      <fieldset className="confirm">
        <legend>{confirmation}</legend>
        <button type="button" className="button danger" onClick={act}>
          {children}
        </button>
        {/* biome-ignore lint/a11y/noAutofocus: replaces the focused button; the safe choice gets the focus */}
        <button type="button" className="button" autoFocus onClick={() => setConfirming(false)}>
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
        onClick={confirmation ? () => setConfirming(true) : act}
      >
        {isBusy ? 'Please wait…' : children}
      </button>
      {error && <Notice kind="bad">{error}</Notice>}
    </>
  );
}
