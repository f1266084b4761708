// GraphiQL with a sign-in bar.
import { GraphiQL } from 'graphiql';
import { sendOperation } from './account';
import { Bar } from './bar';
import { exampleTabs } from './example-tabs';

export function Playground() {
  return (
    <div className="page">
      <Bar />
      <main>
        <GraphiQL
          fetcher={(params, options) => sendOperation(params, options)}
          defaultTabs={exampleTabs}
          defaultEditorToolsVisibility="variables"
          shouldPersistHeaders={false}
        />
      </main>
    </div>
  );
}
