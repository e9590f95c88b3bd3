/** The languages of the dialect's messages (CONTRACT §1). */
export type Language = 'es' | 'en';

/** Reads `Accept-Language`: the preferred one of Spanish and English; Spanish when neither is asked for. */
export function languageOf(acceptLanguage: string | undefined): Language {
  const wishes = (acceptLanguage ?? '').split(',').flatMap((part) => {
    const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
    const language = tag.trim().split('-')[0];
    const quality = parameters.map((parameter) => /^\s*q=([01](?:\.\d{0,3})?)\s*$/.exec(parameter)?.[1]).find((value) => value !== undefined);
    return (language === 'es' || language === 'en') && Number(quality ?? 1) > 0 ? [{ language, quality: Number(quality ?? 1) } as const] : [];
  });
  const [first] = wishes.sort((left, right) => right.quality - left.quality);
  return first?.language ?? 'es';
}
