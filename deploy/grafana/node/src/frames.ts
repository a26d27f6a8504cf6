// From what Prometheus answered to the frames that Grafana's panels take.
import {
  applyFieldOverrides,
  createTheme,
  FieldType,
  getDisplayProcessor,
  standardEditorsRegistry,
  standardFieldConfigEditorRegistry,
  type DataFrame,
  type FieldConfigSource,
} from '@grafana/data';
import { getAllOptionEditors, getAllStandardFieldConfigs } from './standard';
import type { Asked, Drawn, Series } from './types';

standardEditorsRegistry.setInit(getAllOptionEditors);
standardFieldConfigEditorRegistry.setInit(getAllStandardFieldConfigs);

const theme = createTheme({ colors: { mode: 'light' } });

// A point at each step from the first to the last of the picture: where Prometheus has nothing the line is broken.
function frame(series: Series, refId: string, asked: Asked): DataFrame {
  const values = new Map(series.points.map(([at, value]) => [Math.round((at - asked.from) / asked.step), value]));
  const steps = Array.from({ length: Math.floor((asked.to - asked.from) / asked.step) + 1 }, (_, at) => at);
  return {
    refId,
    name: series.legend,
    length: steps.length,
    fields: [
      { name: 'Time', type: FieldType.time, config: {}, values: steps.map((at) => (asked.from + at * asked.step) * 1000) },
      {
        name: series.legend,
        type: FieldType.number,
        labels: {},
        config: { displayNameFromDS: series.legend },
        values: steps.map((at) => values.get(at) ?? null),
      },
    ],
  };
}

function matches(matcher: { id: string; options?: string }, legend: string): boolean {
  return matcher.id === 'byRegexp' ? new RegExp(matcher.options!.slice(1, -1)).test(legend) : matcher.options === legend;
}

// The defaults, the overrides by name or pattern, and the custom options of the lines, all as the dashboard has them.
export function frames(drawn: Drawn, asked: Asked): DataFrame[] {
  const source = (drawn.panel as { fieldConfig?: FieldConfigSource }).fieldConfig!;
  const made = drawn.series.map((one, at) => frame(one, String(at), asked));
  const set = applyFieldOverrides({
    data: made,
    fieldConfig: { defaults: source.defaults, overrides: [] },
    replaceVariables: (text) => text,
    theme,
    timeZone: 'utc',
  });
  set.forEach((one, index) => {
    const field = one.fields[1];
    field.config = { ...source.defaults, ...field.config, custom: { ...source.defaults.custom } };
    field.state = { ...field.state, seriesIndex: index };
    for (const override of source.overrides ?? []) {
      if (matches(override.matcher, drawn.series[index].legend)) {
        field.config.color = override.properties[0].value;
      }
    }
    field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
  });
  return set;
}
