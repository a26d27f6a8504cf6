// What a dashboard's JSON may be: Grafana's own types, each panel with its own options.
import type * as schema from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TableOptions, FieldConfig as TableField } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as LinesOptions, FieldConfig as LinesField } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// As JSON has it: the value of an enumeration instead of its name.
type Plain<T> = T extends string
  ? `${T}`
  : T extends (infer U)[]
    ? Plain<U>[]
    : T extends object
      ? { [K in keyof T]: Plain<T[K]> }
      : T;

// What @grafana/schema has no type for: a question to Prometheus.
interface Target {
  refId: string;
  expr: string;
  legendFormat: string;
  datasource: schema.DataSourceRef;
  exemplar: boolean;
  range?: boolean;
  instant?: boolean;
  format?: 'table' | 'time_series';
}

type Of<Kind extends string, Options, Field> = Omit<schema.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Kind;
  title: string;
  description: string;
  options?: Partial<Options>;
  fieldConfig: schema.FieldConfigSource<Partial<Field>>;
  targets: Target[];
};

type Nothing = Record<string, never>;
type AnyPanel =
  | Of<'timeseries', LinesOptions, LinesField>
  | Of<'stat', StatOptions, Nothing>
  | Of<'bargauge', BarGaugeOptions, Nothing>
  | Of<'table', TableOptions, TableField>
  | schema.RowPanel;

type Annotations = { list: schema.AnnotationQuery<Target>[] };

export type Dashboard = Plain<Omit<schema.Dashboard, 'panels' | 'annotations'> & { panels: AnyPanel[]; annotations: Annotations }>;
