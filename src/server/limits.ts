/**
 * Values in one request, at most: objects, lists and what is in them; numbers in lists count an eighth.
 * More would take time that others need before they could be refused.
 */
export const MAX_VALUES = 2 ** 15;
