// The target tenant, for a management group: consent (the service principal), the target's and the network's role. Not
// tried against Azure.
//   az deployment mg create --management-group-id NAME --location eastus2 --template-file target-management-group.bicep \
//     --parameters clientId=... ...
extension microsoftGraphV1

targetScope = 'managementGroup'

@description('The application of the manager\'s tenant.')
param clientId string

@description('The resource groups below it whose networks may be put into groups, with their subscriptions.')
param networkResourceGroups { subscriptionId: string, name: string }[]

// A role's name is unique in its tenant, so that of each scope has it in its own.
var targetRole = loadJsonContent('../target-role.json')
var networkRole = loadJsonContent('../network-role.json')

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: clientId
}

resource targetDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(managementGroup().id, targetRole.Name)
  properties: {
    roleName: '${targetRole.Name} (${managementGroup().name})'
    description: targetRole.Description
    type: 'CustomRole'
    permissions: [{ actions: targetRole.Actions, notActions: [] }]
    assignableScopes: [managementGroup().id]
  }
}

resource networkDefinition 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(managementGroup().id, networkRole.Name)
  properties: {
    roleName: '${networkRole.Name} (${managementGroup().name})'
    description: networkRole.Description
    type: 'CustomRole'
    permissions: [{ actions: networkRole.Actions, notActions: [] }]
    assignableScopes: [managementGroup().id]
  }
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(managementGroup().id, clientId, targetRole.Name)
  properties: {
    principalId: principal.id
    principalType: 'ServicePrincipal'
    roleDefinitionId: targetDefinition.id
  }
}

module networks 'assign-networks.bicep' = [for group in networkResourceGroups: {
  name: 'avnm-operator-${uniqueString(group.subscriptionId, group.name)}'
  scope: resourceGroup(group.subscriptionId, group.name)
  params: {
    principalId: principal.id
    roleDefinitionId: networkDefinition.id
  }
}]
