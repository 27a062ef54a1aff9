/** The handbook of a field station that does not exist: what the agent's search looks through. */
export interface HandbookPage {
  id: string;
  title: string;
  text: string;
}

export const HANDBOOK: readonly HandbookPage[] = [
  {
    id: 'fees',
    title: 'Guest fees',
    text: 'Guests of Skerry Station pay 64.50 euros per night for a bed and board, and a landing fee of 18 euros once per visit. Children under twelve pay half. Fees are due on arrival.',
  },
  {
    id: 'luggage',
    title: 'Luggage allowance',
    text: 'Each guest may bring 23 kilograms of luggage on the supply boat. Instruments are weighed apart, and must be announced a week before the crossing. Nothing longer than 190 centimetres fits the hold.',
  },
  {
    id: 'generator',
    title: 'Diesel generator',
    text: 'The diesel generator burns 4.2 litres of fuel per hour. The tank holds 1800 litres. In winter it runs 9 hours a day, in summer 3, because the solar panels do the rest.',
  },
  {
    id: 'orders',
    title: 'Ordering supplies',
    text: 'Fuel and food are ordered by radio 12 days before they are needed. Orders that come later wait for the next boat.',
  },
  {
    id: 'boat',
    title: 'Supply boat',
    text: 'The supply boat crosses 14.5 nautical miles of open water from the harbour to the skerry. Its cruising speed is 7 knots. It does not sail in a wind above force 7.',
  },
  {
    id: 'seals',
    title: 'Seal count',
    text: 'Grey seals are counted every second day during the pupping season, at low tide, from both hides. A count takes 35 minutes in each hide, and the walk between them takes 20.',
  },
  {
    id: 'water',
    title: 'Drinking water',
    text: 'The desalinator gives 240 litres of drinking water a day. The station reckons 30 litres per person and day, showers of two minutes included.',
  },
  {
    id: 'radio',
    title: 'Radio hours',
    text: 'The coast guard listens at 08:00 and 19:30. Miss two calls in a row and a boat is sent.',
  },
  {
    id: 'kitchen',
    title: 'Kitchen',
    text: 'Whoever cooks does not wash up. Bread is baked every third day from 5 kilograms of flour. The freezer is emptied before the generator is serviced.',
  },
  {
    id: 'tides',
    title: 'Tides at the landing',
    text: 'The landing can be used from two hours before high water to two hours after. The tidal range is 3.4 metres at springs and 1.6 metres at neaps.',
  },
];
