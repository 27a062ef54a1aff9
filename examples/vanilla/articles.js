export const articles = [
  {
    title: 'Tides',
    text: 'The Moon pulls on the water of the near side of the Earth more than on the Earth itself, and less on that of the far side. So there are two bulges, and a place passes through both of them in a little more than a day. Where the Sun pulls in the same line, at new and full Moon, high water is higher.',
  },
  {
    title: 'Sourdough',
    text: 'Flour and water that stand in a warm place are soon full of wild yeast and of bacteria that make acids. The yeast raises the dough; the acids give it its taste, and keep the bread from going mouldy. A part of the dough is kept and fed for the next loaf.',
  },
  {
    title: 'Lighthouses',
    text: 'A lamp shines to all sides, and most of its light goes where nobody needs it. Fresnel cut a lens into rings, so that it could be large and yet thin, and bent nearly all of the light to the horizon. Each lighthouse has a rhythm of its own, by which sailors tell it from others.',
  },
];
