// Draws one dashboard with the panels of @grafana/ui from what Prometheus answered (asked.js), as Grafana would.
import { createTheme, ThemeContext } from '@grafana/data';
import { GlobalStyles } from '@grafana/ui';
import { createRoot } from 'react-dom/client';
import { Board } from './board';
import type { Asked } from './types';

const asked = (window as unknown as { ASKED: Asked }).ASKED;
const theme = createTheme({ colors: { mode: 'light' } });

createRoot(document.getElementById('root')!).render(
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <Board asked={asked} />
  </ThemeContext.Provider>
);
