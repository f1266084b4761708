// Inputs for passwords: one for the password that there is, one for the password to be.
import { useEffect, useState } from 'react';
import { type Strength, strengthOf } from '../strength';
import { Field } from './field';

interface Props {
  label: string;
  name: string;
  autoComplete: 'current-password' | 'new-password';
  onInput?: (text: string) => void;
  hint?: React.ReactNode;
}

/** With a button that shows what was typed. */
export function Password({ label, name, autoComplete, onInput, hint }: Props) {
  const [isShown, setShown] = useState(false);
  return (
    <Field
      label={label}
      name={name}
      type={isShown ? 'text' : 'password'}
      autoComplete={autoComplete}
      autoCapitalize="none"
      spellCheck={false}
      required
      hint={hint}
      onInput={(event) => onInput?.(event.currentTarget.value)}
      aside={
        <button
          type="button"
          className="button quiet"
          aria-pressed={isShown}
          aria-label={`Show ${label.toLowerCase()}`}
          onClick={() => setShown(!isShown)}
        >
          {isShown ? 'Hide' : 'Show'}
        </button>
      }
    />
  );
}

const words = ['very weak', 'weak', 'fair', 'good', 'strong'];

/** Tells, while it is typed, how soon a guesser would get there; the server has the last word. */
export function NewPassword({ label, name, names }: { label: string; name: string; names: string[] }) {
  const [text, setText] = useState('');
  const [strength, setStrength] = useState<Strength>();
  const identity = names.join('\n');

  useEffect(() => {
    let isOld = false;
    void strengthOf(text, identity.split('\n')).then((found) => isOld || setStrength(found));
    return () => {
      isOld = true;
    };
  }, [text, identity]);

  const hint = strength && (
    <div className={`strength score-${strength.score}`}>
      <meter min={0} max={4} value={strength.score} aria-label="Strength" />
      <span aria-live="polite">
        {words[strength.score]}
        {strength.advice && `: ${strength.advice}`}
      </span>
    </div>
  );
  return <Password label={label} name={name} autoComplete="new-password" onInput={setText} hint={hint} />;
}
