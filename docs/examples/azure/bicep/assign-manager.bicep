// The manager's role, at the network manager itself.
param managerName string
param principalId string
param roleDefinitionId string

resource manager 'Microsoft.Network/networkManagers@2024-05-01' existing = {
  name: managerName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(manager.id, principalId, roleDefinitionId)
  scope: manager
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: roleDefinitionId
  }
}
