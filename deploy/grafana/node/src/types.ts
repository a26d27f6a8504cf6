import type { Dashboard, Panel, RowPanel } from '@grafana/schema';

export interface Series {
  labels: Record<string, string>;
  legend: string;
  points: Array<[number, number]>;
}

export interface Drawn {
  panel: Panel | RowPanel;
  series: Series[];
}

export interface Asked {
  board: Pick<Dashboard, 'title' | 'description'>;
  caption: string;
  from: number;
  to: number;
  step: number; // seconds
  width: number;
  panels: Drawn[];
}
