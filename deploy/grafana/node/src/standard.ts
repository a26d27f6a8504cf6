// Grafana's own registries are filled by its core, which is no package; ours need what our panels set.
import { FieldConfigProperty, FieldColorModeId, type FieldConfigPropertyItem, type StandardEditorsRegistryItem } from '@grafana/data';

function item(id: FieldConfigProperty): FieldConfigPropertyItem {
  return {
    id,
    path: id,
    name: id,
    editor: () => null,
    override: () => null,
    process: (value: unknown) => value,
    settings: {},
    shouldApply: () => true,
  } as unknown as FieldConfigPropertyItem;
}

export function getAllStandardFieldConfigs(): FieldConfigPropertyItem[] {
  return Object.values(FieldConfigProperty).map(item);
}

export function getAllOptionEditors(): StandardEditorsRegistryItem[] {
  return [];
}

export const palette = FieldColorModeId.PaletteClassic;
