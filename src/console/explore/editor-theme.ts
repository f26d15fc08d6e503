import { HighlightStyle } from '@codemirror/language';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

/** The page's own colours, light and dark, by its custom properties. */
export const theme = EditorView.theme({
  '&': { color: 'var(--ink)', fontSize: '15px' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55', maxHeight: '40vh' },
  '.cm-content': { padding: '9px 4px', caretColor: 'var(--ink)', minHeight: '44px', boxSizing: 'border-box' },
  '.cm-line': { overflowWrap: 'anywhere' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-placeholder': { color: 'var(--ink-3)', fontFamily: 'var(--sans)' },
  '.cm-content ::selection, .cm-content::selection': {
    backgroundColor: 'var(--accent-soft)',
    color: 'inherit',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--accent-soft)', color: 'inherit' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'var(--bad-soft)', color: 'var(--bad)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--bad)',
    textDecorationSkipInk: 'none',
    textUnderlineOffset: '3px',
  },
  '.cm-tooltip': {
    border: '1px solid var(--line)',
    borderRadius: '6px',
    backgroundColor: 'var(--surface)',
    color: 'var(--ink)',
    boxShadow: '0 4px 16px #0003',
    overflow: 'hidden',
    maxWidth: 'min(640px, calc(100vw - 32px))',
  },
  '.cm-tooltip .cm-diagnostic-error': {
    borderLeftColor: 'var(--bad)',
    padding: '6px 10px',
    fontFamily: 'var(--sans)',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '15em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li': {
    padding: '3px 10px',
    overflow: 'hidden',
    textOverflow: 'ellipsis',
  },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    backgroundColor: 'var(--accent-soft)',
    color: 'var(--ink)',
  },
  '.cm-completionMatchedText': { color: 'var(--accent)', textDecoration: 'none', fontWeight: '600' },
  '.cm-completionDetail': {
    color: 'var(--ink-3)',
    fontStyle: 'normal',
    fontFamily: 'var(--sans)',
    fontSize: '0.85em',
  },
  '.cm-tooltip.cm-completionInfo': { fontFamily: 'var(--sans)', fontSize: '0.9em', padding: '6px 10px' },
  // Beside the list there is no room, and over it nothing can be read.
  '@media (max-width: 560px)': { '.cm-tooltip.cm-completionInfo': { display: 'none' } },
});

export const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: 'var(--line-2)' },
  { tag: [tags.function(tags.variableName), tags.special(tags.variableName)], color: 'var(--line-4)' },
  { tag: tags.labelName, color: 'var(--line-0)' },
  { tag: tags.string, color: 'var(--line-1)' },
  { tag: [tags.number, tags.literal], color: 'var(--line-6)' },
  { tag: tags.comment, color: 'var(--ink-3)', fontStyle: 'italic' },
]);
