// Inputs for current and new passwords.
import { useEffect, useState } from 'react';
import { passwordStrength, type Strength } from '../strength';
import { Field } from './field';

interface Props {
  label: string;
  name: string;
  autoComplete: 'current-password' | 'new-password';
  onInput?: (text: string) => void;
  hint?: React.ReactNode;
}

/** Has a button that reveals the text. */
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

const strengthLabels = ['very weak', 'weak', 'fair', 'good', 'strong'];

/** Shows the estimated strength while typing; only the server's policy decides. */
export function NewPassword({ label, name, names }: { label: string; name: string; names: string[] }) {
  const [text, setText] = useState('');
  const [strength, setStrength] = useState<Strength>();
  const identity = names.join('\n');

  useEffect(() => {
    let isStale = false;
    void passwordStrength(text, identity.split('\n')).then((result) => isStale || setStrength(result));
    return () => {
      isStale = true;
    };
  }, [text, identity]);

  const hint = strength && (
    <div className={`strength score-${strength.score}`}>
      <meter min={0} max={4} value={strength.score} aria-label="Strength" />
      <span aria-live="polite">
        {strengthLabels[strength.score]}
        {strength.advice && `: ${strength.advice}`}
      </span>
    </div>
  );
  return <Password label={label} name={name} autoComplete="new-password" onInput={setText} hint={hint} />;
}
