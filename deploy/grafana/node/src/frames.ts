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
import type { Drawn, Series } from './types';

standardEditorsRegistry.setInit(getAllOptionEditors);
standardFieldConfigEditorRegistry.setInit(getAllStandardFieldConfigs);

const theme = createTheme({ colors: { mode: 'light' } });

function frame(series: Series, refId: string, step: number): DataFrame {
  return {
    refId,
    name: series.legend,
    length: series.points.length,
    fields: [
      // Where Prometheus has nothing for longer than this the line is broken.
      { name: 'Time', type: FieldType.time, config: { interval: step * 1000 }, values: series.points.map(([at]) => at * 1000) },
      {
        name: series.legend,
        type: FieldType.number,
        labels: {},
        config: { displayNameFromDS: series.legend },
        values: series.points.map(([, value]) => value),
      },
    ],
  };
}

// The defaults, the overrides by name, and the custom options of the lines, all as the dashboard has them.
export function frames(drawn: Drawn, step: number): DataFrame[] {
  const source = (drawn.panel as { fieldConfig?: FieldConfigSource }).fieldConfig!;
  const made = drawn.series.map((one, at) => frame(one, String(at), step));
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
      if (override.matcher.options === drawn.series[index].legend) {
        field.config.color = override.properties[0].value;
      }
    }
    field.display = getDisplayProcessor({ field, theme, timeZone: 'utc' });
  });
  return set;
}
