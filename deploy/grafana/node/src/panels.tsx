// Each kind of panel that our dashboards have.
import { dateTime, createTheme, getDisplayProcessor, FieldType, type DataFrame, type FieldConfig } from '@grafana/data';
import { VizOrientation, BigValueColorMode, BigValueGraphMode, BigValueTextMode, BigValueJustifyMode, BarGaugeDisplayMode, LegendDisplayMode } from '@grafana/schema';
import { BarGauge, BigValue, TimeSeries } from '@grafana/ui';
import { frames } from './frames';
import type { Asked, Drawn } from './types';

const theme = createTheme({ colors: { mode: 'light' } });

interface Size {
  width: number;
  height: number;
}

type Props = { drawn: Drawn; asked: Asked } & Size;

function Empty({ drawn, width, height }: { drawn: Drawn } & Size) {
  const said = (drawn.panel as { fieldConfig?: { defaults: FieldConfig } }).fieldConfig?.defaults.noValue;
  const style = { width, height, display: 'flex', alignItems: 'center', justifyContent: 'center', color: '#6b6d75' };
  return <div style={style}>{said ?? 'No data'}</div>;
}

function Lines({ drawn, asked, width, height }: Props) {
  const range = { from: dateTime(asked.from * 1000), to: dateTime(asked.to * 1000) };
  const legend = { ...(drawn.panel as any).options.legend, displayMode: LegendDisplayMode.List, calcs: [] };
  return (
    <TimeSeries
      frames={frames(drawn, asked)}
      structureRev={1}
      width={width}
      height={height}
      timeRange={{ ...range, raw: range }}
      timeZone="utc"
      legend={legend}
      options={(drawn.panel as any).options}
    />
  );
}

function last(frame: DataFrame): number {
  return frame.fields[1].values.findLast((value) => value !== null);
}

function Numbers({ drawn, asked, width, height }: Props) {
  const made = frames(drawn, asked);
  const each = Math.floor(width / made.length) - (made.length > 1 ? 4 : 0);
  return (
    <div style={{ display: 'flex', gap: 4 }}>
      {made.map((one, at) => (
        <BigValue
          key={at}
          width={each}
          height={height}
          theme={theme}
          value={{ ...one.fields[1].display!(last(one)), title: made.length > 1 ? one.name : '' }}
          colorMode={BigValueColorMode.Background}
          graphMode={BigValueGraphMode.None}
          textMode={made.length > 1 ? BigValueTextMode.ValueAndName : BigValueTextMode.Value}
          justifyMode={BigValueJustifyMode.Auto}
        />
      ))}
    </div>
  );
}

function Bars({ drawn, asked, width, height }: Props) {
  const made = frames(drawn, asked);
  const most = Math.max(1, ...made.map(last));
  const each = Math.min(40, Math.floor(height / made.length) - 4);
  const longest = (texts: string[]) => texts.reduce((a, b) => (b.length > a.length ? b : a), '');
  const factors = {
    title: longest(made.map((one) => one.name ?? '')),
    text: longest(made.map((one) => one.fields[1].display!(last(one)).text)),
  };
  return (
    <div style={{ display: 'flex', flexDirection: 'column', gap: 4 }}>
      {made.map((one, at) => (
        <BarGauge
          key={at}
          width={width}
          height={each}
          theme={theme}
          field={{ ...one.fields[1].config, min: 0, max: one.fields[1].config.max ?? most }}
          display={one.fields[1].display}
          value={{ ...one.fields[1].display!(last(one)), title: one.name }}
          orientation={VizOrientation.Horizontal}
          alignmentFactors={factors}
          displayMode={BarGaugeDisplayMode.Basic}
          text={{ titleSize: 13, valueSize: 18 }}
        />
      ))}
    </div>
  );
}

const CELL = { padding: '4px 8px', borderBottom: '1px solid #e4e5e6', textAlign: 'left' as const, fontSize: 13 };

function Rows({ drawn, height }: Props) {
  const names = Object.keys(drawn.series[0].labels);
  const field = { name: 'Value', type: FieldType.number, config: (drawn.panel as any).fieldConfig.defaults, values: [] };
  const display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
  return (
    <div style={{ height, overflow: 'hidden' }}>
      <table style={{ width: '100%', borderCollapse: 'collapse' }}>
        <thead>
          <tr>{[...names, 'number'].map((name) => <th key={name} style={{ ...CELL, color: '#3871dc' }}>{name}</th>)}</tr>
        </thead>
        <tbody>
          {drawn.series.map((one, at) => (
            <tr key={at}>
              {names.map((name) => <td key={name} style={CELL}>{one.labels[name]}</td>)}
              <td style={CELL}>{display(one.points.at(-1)![1]).text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const KINDS: Record<string, (props: Props) => React.JSX.Element> = { timeseries: Lines, stat: Numbers, bargauge: Bars, table: Rows };

export function Content(props: Props) {
  const Kind = KINDS[props.drawn.panel.type];
  return props.drawn.series.length === 0 ? <Empty {...props} /> : <Kind {...props} />;
}
