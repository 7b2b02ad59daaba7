// The target tenant, for a subscription: consent (the service principal), the target's and the network's role. Not
// tried against Azure. target-management-group.bicep is the same for a management group.
//   az deployment sub create --location eastus2 --template-file target.bicep --parameters clientId=... ...
extension microsoftGraphV1

targetScope = 'subscription'

@description('The application of the manager\'s tenant.')
param clientId string

@description('The resource groups whose networks may be put into groups.')
param networkResourceGroups string[]

// A role's name is unique in its tenant, so that of each scope has it in its own.
var targetRole = loadJsonContent('../target-role.json')
var networkRole = loadJsonContent('../network-role.json')

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: clientId
}

resource targetDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, targetRole.Name)
  properties: {
    roleName: '${targetRole.Name} (${subscription().subscriptionId})'
    description: targetRole.Description
    type: 'CustomRole'
    permissions: [{ actions: targetRole.Actions, notActions: [] }]
    assignableScopes: [subscription().id]
  }
}

resource networkDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, networkRole.Name)
  properties: {
    roleName: '${networkRole.Name} (${subscription().subscriptionId})'
    description: networkRole.Description
    type: 'CustomRole'
    permissions: [{ actions: networkRole.Actions, notActions: [] }]
    assignableScopes: [subscription().id]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(subscription().id, clientId, targetRole.Name)
  properties: {
    principalId: principal.id
    principalType: 'ServicePrincipal'
    roleDefinitionId: targetDefinition.id
  }
}

module networks 'assign-networks.bicep' = [for group in networkResourceGroups: {
  name: 'avnm-operator-${uniqueString(group)}'
  scope: resourceGroup(group)
  params: {
    principalId: principal.id
    roleDefinitionId: networkDefinition.id
  }
}]
