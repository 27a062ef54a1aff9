import { createRoot } from 'react-dom/client';
import '../dashboard/styles/tokens.css';
import '../dashboard/styles/base.css';
import '../dashboard/styles/controls.css';
import '../dashboard/styles/panel.css';
import '../dashboard/styles/forced-colors.css';
import './design/tokens.css';
import './design/base.css';
import './design/controls.css';
import './design/layout.css';
import './dashboard/dashboard.css';
import './chat/chat.css';
import './agent/agent.css';
import './summarizer/summarizer.css';
import './design/forced-colors.css';
import { App } from './app';
import { watchLive } from './store/live';
import { startTraffic } from './store/traffic';
import { startSummarizer } from './summarizer/summarizer-store';

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');

watchLive();
startTraffic();
startSummarizer();
createRoot(root).render(<App />);
