export { podStatusWord } from '../model/pod-status-word.ts';
