import { render } from 'preact';
import { Shell } from './pages/shell';
import { startClock } from './store/clock';
import { start } from './store/load';
import { startRouter } from './store/route';
import { startTheme } from './store/theme';

startTheme();
startClock();
startRouter();
render(<Shell />, document.getElementById('app')!);
start();
