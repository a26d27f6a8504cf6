// The grid of a dashboard: 24 columns, rows of 30 pixels and gaps of 8, as in Grafana.
import { PanelChrome } from '@grafana/ui';
import { Content } from './panels';
import type { Asked, Drawn } from './types';

const GAP = 8;
const ROW = 30;

function place(asked: Asked, drawn: Drawn) {
  const { x, y, w, h } = drawn.panel.gridPos!;
  const column = (asked.width - 2 * GAP + GAP) / 24;
  return { left: GAP + x * column, top: y * (ROW + GAP), width: w * column - GAP, height: h * (ROW + GAP) - GAP };
}

function One({ asked, drawn }: { asked: Asked; drawn: Drawn }) {
  const { left, top, width, height } = place(asked, drawn);
  const style = { position: 'absolute' as const, left, top, width, height };
  if (drawn.panel.type === 'row') {
    return <div style={{ ...style, fontSize: 18, fontWeight: 500, color: '#24292e', lineHeight: '34px' }}>{drawn.panel.title}</div>;
  }
  return (
    <div style={style}>
      <PanelChrome title={drawn.panel.title} width={width} height={height}>
        {(inner, high) => <Content drawn={drawn} asked={asked} width={inner} height={high} />}
      </PanelChrome>
    </div>
  );
}

export function Board({ asked }: { asked: Asked }) {
  const bottom = Math.max(...asked.panels.map((one) => one.panel.gridPos!.y + one.panel.gridPos!.h));
  return (
    <div style={{ width: asked.width }}>
      <div style={{ padding: '12px 8px 4px', color: '#24292e' }}>
        <span style={{ fontSize: 22, fontWeight: 500 }}>{asked.board.title}</span>
        <span style={{ fontSize: 14, marginLeft: 16, color: '#6b6d75' }}>{asked.caption}</span>
      </div>
      <div style={{ position: 'relative', height: bottom * (ROW + GAP) }}>
        {asked.panels.map((drawn, at) => <One key={at} asked={asked} drawn={drawn} />)}
      </div>
    </div>
  );
}
