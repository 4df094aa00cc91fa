/** The kinds of jobs that the page knows: what one of them is called, and which view shows it. */

const kinds = {
  chat: { name: 'Chat', home: '#/chat' },
  'transcript-to-journey': { name: 'Import of a transcript', home: '#/import' },
  'diagram-to-journey': { name: 'Import of a diagram', home: '#/import' },
  'summarize-session': { name: 'Summary of a session', home: '#/summaries' },
  'summarize-tree': { name: 'Summary of all sessions', home: '#/summaries' },
  'generate-insights': { name: 'Insights', home: '#/insights' },
  'copy-records': { name: 'Copy', home: '#/copy' },
};

export const KINDS = Object.keys(kinds);

/** @param {string} kind @returns {string} */
export function kindName(kind) {
  return Object.hasOwn(kinds, kind) ? kinds[kind].name : kind;
}

/** Where a job is shown; undefined for a kind that has no view. @param {{kind: string, id: string}} job */
export function placeOf({ kind, id }) {
  return Object.hasOwn(kinds, kind) ? `${kinds[kind].home}/${id}` : undefined;
}
