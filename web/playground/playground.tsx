// GraphiQL below a sign-in.
import { GraphiQL } from 'graphiql';
import { ask } from './account';
import { Bar } from './bar';
import { readyTabs } from './tabs';

export function Playground() {
  return (
    <div className="page">
      <Bar />
      <main>
        <GraphiQL
          fetcher={(asked, options) => ask(asked, options)}
          defaultTabs={readyTabs}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
        />
      </main>
    </div>
  );
}
