// Entry point of the console.
import { ApolloProvider } from '@apollo/client/react';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { client } from './account';
import { App } from './app';
import { SessionProvider } from './session';
import '../shared/colours.css';
import './styles/base.css';
import './styles/controls.css';
import './styles/layout.css';
import './styles/content.css';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <ApolloProvider client={client}>
        <SessionProvider>
          <App />
        </SessionProvider>
      </ApolloProvider>
    </StrictMode>,
  );
}
