export const trainingTopic = 'Where training ends'
